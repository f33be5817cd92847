"""Taking in much at once, by processes of their own; the console draws meanwhile.

`reader` pulls chunk after chunk and verifies each as every pull does (`verified`). A new replica goes to `writer`,
which puts it into a file beside the empty one, without most indexes, and makes those at the end; the file gets its name
only when it is complete. What a replica lacks that stands days back goes to `forward`, which brings it forward in large
transactions. `near` is the console's side. At the first chunk that is not sound they stop, and the ordinary pull goes
on from there: it says what is wrong.
"""
