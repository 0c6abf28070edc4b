"""Reads run folders; never imported by training."""
