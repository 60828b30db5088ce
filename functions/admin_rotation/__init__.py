"""The admin rotation function: replaces the cell's OpenAI admin key, and deletes the old one a day later."""
