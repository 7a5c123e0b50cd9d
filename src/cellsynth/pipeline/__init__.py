"""One module and function per verb: what the commands do, callable from Python.

`cellsynth` names the functions; here they would be hidden by the modules of the same name. The modules import
the stages when a function is called, so listing the commands is quick.
"""
