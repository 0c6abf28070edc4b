"""One command for a machine with a GPU: equality, then speed; see README.md in the folder above."""
