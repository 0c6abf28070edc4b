"""What is typed: the parser, its messages and its help, and what of Lightning's options works here."""
