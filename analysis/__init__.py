"""Reads run folders; starts no training and is never imported by one."""
