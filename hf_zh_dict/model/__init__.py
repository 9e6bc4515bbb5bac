"""A shape or a folder in, a Llama out; a Llama and prompts in, continuations out."""
