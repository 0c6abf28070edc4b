"""The trained model outside training: in Python, and in the formats of other libraries."""
