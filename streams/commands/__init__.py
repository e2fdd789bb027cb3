"""The sub-commands of `freshrec`, one module per family; nothing heavy is imported at the top."""
