// The first link has no symbol table yet.
    .section symbol_table, "a"
    .globl symbol_count, symbol_offsets, symbol_name_offsets, symbol_names
symbol_count:
symbol_offsets:
symbol_name_offsets:
    .long 0
symbol_names:
    .byte 0
