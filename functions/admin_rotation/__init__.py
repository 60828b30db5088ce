"""The admin rotation function: replaces the cell's OpenAI admin key, and ends the one before it a day later."""
