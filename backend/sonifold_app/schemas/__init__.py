"""Requests and replies: what goes over the wire, with its bounds and an example of each; a file a resource.

common        what they share: bounds, numbers, examples
anchors       places to start from and to end at
problems      what went wrong
operations  models  sounds  embeddings  atlas  paths  audio  morphs  decodings
"""
