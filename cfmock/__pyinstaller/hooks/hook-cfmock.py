"""Any program with the package in it: the tables and schemas beside its modules, which are read when they are needed."""

from PyInstaller.utils.hooks import collect_data_files

datas = collect_data_files("cfmock")
