"""The reference: one clear and fast NumPy implementation, forward and backward, in 1, 2 and 3 dimensions."""
