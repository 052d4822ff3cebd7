package dev.eden.activities.postgres;

/** Expressions for numbers that equal rows share on two servers: 64 bits of the row's text. */
public final class RowText {
    private RowText() {}

    public static String encoding(PostgresSession session) {
        return session.text("SHOW server_encoding").orElse("");
    }

    /**
     * Such a number of one row.
     *
     * @param row an expression
     * @param converted the sides keep texts in different encodings, so that the same text has other bytes there
     */
    public static String hash(String row, boolean converted) {
        String text = row + "::text";
        return "hashtextextended("
                + (converted ? "encode(convert_to(" + text + ", 'UTF8'), 'hex')" : text)
                + " COLLATE \"C\", 0)";
    }
}
