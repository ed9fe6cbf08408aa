"""What is heard between two sounds: everything travels, one sound at each step."""
