"""Guards: models of other makers that judge replies, each by one TOML file.

The file says how it is asked, and how its answer is read. A guard answers another question than ours: does this text break a policy? What
it says becomes *classes*, sets of our labels that it can't tell apart, and it may sit for a behaviour that is a union of its classes. What
it was published to reach is shown on its card and never enters a verdict. `spec` reads the files, `frame` makes what is asked, `grammar`
reads answers, `judge` sits.
"""
