"""`python -m cnn_conformance`, for where the command is not on the path."""

from cnn_conformance.cli import main

main(prog_name="cnn-conformance")
