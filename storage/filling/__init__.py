"""Taking in a long history at once: into a new replica file beside the empty one, by processes of their own.

`reader` pulls chunk after chunk, verifies each as every pull does, and hands what is sound to `writer`, which puts it
into a file without indexes and makes those at the end; `near` is the console's side, which meanwhile draws undisturbed.
The file gets its name only when it is complete. At the first chunk that is not sound the file is finished as far as it
goes, and the ordinary pull goes on from there: it says what is wrong.
"""
