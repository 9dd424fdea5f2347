"""Shared by all tests. Its place puts tests/ on the import path: `from cases import Case`, `import reference`."""
