"""The small ray marcher that rendered the demo catalogue's photos (campaigns/data/photos).

Every product is a set of signed distance fields, walked along rays until a surface is met, lit by
three soft boxes on a white seamless ground. numpy and Pillow, nothing else; the same source gives
the same pictures. `python -m tests.studio` renders them again.
"""
