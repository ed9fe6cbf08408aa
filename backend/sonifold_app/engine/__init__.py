"""Who does the computing: one protocol (``base``), one implementation so far (``local``)."""
