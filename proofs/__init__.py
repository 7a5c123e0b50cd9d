"""Quality on real images: `python -m proofs [NAME ...]`, one JSON line per claim.

A proof is one file here with a docstring, `NEEDS` (folders of the data it reads) and `claims(data)`, which yields
what it measured. The data is not part of the package: `--data DIR` names a folder of the same layout, and where it
is absent a proof says so and claims nothing.
"""
