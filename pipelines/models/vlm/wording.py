"""What the model is asked, word for word."""

from pipelines.composition import SubjectKind
from pipelines.models.vlm.grammar import GRID, HEAVIEST, MOST_SUBJECTS

SYSTEM = (
    "You describe pictures for a program that continues them beyond their frame. "
    "You answer with one line of JSON."
)

EXAMPLE = (
    '{"c":"a woman in a red hat on a beach",'
    '"s":"sandy beach, calm sea on both sides, pale evening sky above, soft light",'
    '"e":"b","o":[["person",9,[310,120,705,1000]],["face",8,[430,170,560,350]]]}'
)
"""An answer as it should be; the grammar takes it."""

QUESTION = f"""\
Describe this picture. Example: {EXAMPLE}
c: caption, at most 8 words.
s: the surroundings as they go on beyond the left, top, right and bottom edge: place, ground, \
sky or wall, light, style. No people, things or texts. At most 16 words.
e: letters of the edges that cut through a subject: l, t, r, b; empty if none.
o: at most {MOST_SUBJECTS} subjects, the most important first. Each: kind \
({", ".join(SubjectKind)}), weight 1 to {HEAVIEST}, tight box [left, top, right, bottom] \
from 0 to {GRID}."""
