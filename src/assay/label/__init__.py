"""A person's labels of some synthetic rows in, the share of wrong rows among all of them out."""
