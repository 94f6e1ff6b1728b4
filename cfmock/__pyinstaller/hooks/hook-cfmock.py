"""Any program with the package in it: the tables and schemas beside its modules, which are read when they are needed."""

import importlib.util

from PyInstaller.utils.hooks import collect_data_files

hiddenimports = ["msgspec._utils", "uuid"]  # what the compiled part of msgspec imports
datas = collect_data_files("cfmock")
if importlib.util.find_spec("hcl2") is not None:
    datas += collect_data_files("hcl2")  # the grammar of Terraform files
