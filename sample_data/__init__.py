"""Invented sample data in the CS224N format, and the script that writes it."""
