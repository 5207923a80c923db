"""A candidate in a process of its own: the wire, the child that serves it, and the parent that asks and watches."""
