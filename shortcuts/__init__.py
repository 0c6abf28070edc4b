"""What a label can be told by without understanding: shared words, bags of words, and small models of them."""
