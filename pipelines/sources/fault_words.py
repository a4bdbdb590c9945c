"""What each fault of a row, value or layout means, and what its system's owner can do: words without values."""

#: reason: (what is wrong, what to do)
WORDS: dict[str, tuple[str, str]] = {
    "too_few_fields": ("fewer fields than the heading", "a line end inside a field? quote it; else fill up the row"),
    "too_many_fields": ("more fields than the heading", "a separator inside a field? quote the field"),
    "wrong_number_of_fields": ("another number of fields than its record type has", "export the record again"),
    "unknown_record_type": ("a record type that the contract doesn't know", "leave it out, or agree it"),
    "stray_quote": ("a quotation mark in the middle of a field", "double it and quote the field"),
    "line_too_long": ("far too long for a record", "a quote left open, or a document in a field: shorten it"),
    "element_repeated": ("one element stands more than once", "keep the one that holds"),
    "cell_with_error": ("a cell holds an error instead of a value", "mend the formula, or enter the value"),
    "missing_or_unreadable": ("the key or a required value is empty or can't be read", "enter it in the system"),
    "key_repeated": ("an earlier row has the same key", "merge or renumber the two"),
    "not_a_date": ("no date as the contract writes them", "correct the date in the system"),
    "not_a_number": ("no number as the contract writes them", "correct the number in the system"),
    "column_added": ("a column that the contract doesn't name", "leave it out, or agree it with the data team"),
    "column_gone": ("a column of the contract is gone", "add it again, or agree its end"),
    "column_renamed": ("a column seems to be renamed", "give it its name again, or agree the new one"),
    "column_twice": ("a column comes twice", "leave one out"),
    "columns_moved": ("the columns stand in another order", "nothing: they are read by name"),
    "type_changed": ("a column's values are of another type or form", "export it as before, or agree the change"),
}  # fmt: skip


def words(reason: str) -> tuple[str, str]:
    """What is wrong and what to do; the bare reason where none is written."""
    return WORDS.get(reason, (reason.replace("_", " "), "look at the row in the system"))
