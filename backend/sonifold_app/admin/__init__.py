"""What an operator does with a data folder: back it up, restore it, and see whether all is well."""
