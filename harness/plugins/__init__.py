"""Plugins: hook specifications, the records that hooks return, guarded discovery."""
