/* Which Python a compiled file is for. */
static PYC_MAGIC magic_values[] = {
    { 3000, 3131, L"3.0" },
    { {{magic_start}}, {{magic_end}}, L"{{series}}" },
    { 0 }
};
