"""What is kept on disk between requests and between runs."""
