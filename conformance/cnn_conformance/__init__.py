"""Hold any implementation of CNN operations against the specification in `cnn_spec`."""

__version__ = "0.1.0"
