"""The programs of others; they import nothing of ours."""
