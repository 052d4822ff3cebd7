package dev.eden.api.cli;

import java.util.ArrayList;
import java.util.List;

/** Columns as wide as they need to be; the last one is not padded. Cells wider than the limit are wrapped at spaces. */
final class Table {
    /** Of a cell, in characters. */
    private static final int LIMIT = 200;

    private final List<List<String>> rows = new ArrayList<>();

    private Table(List<String> head) {
        rows.add(head);
    }

    static Table of(String... head) {
        return new Table(List.of(head));
    }

    void row(String... cells) {
        rows.add(List.of(cells));
    }

    boolean isEmpty() {
        return rows.size() == 1;
    }

    List<String> lines() {
        int columns = rows.getFirst().size();
        int[] widths = new int[columns];
        List<List<List<String>>> wrapped = new ArrayList<>();
        for (List<String> row : rows) {
            List<List<String>> cells = new ArrayList<>();
            for (int column = 0; column < columns; column++) {
                List<String> parts = Wrapped.lines(row.get(column), 0, LIMIT);
                cells.add(parts);
                for (String part : parts) {
                    widths[column] = Math.max(widths[column], part.length());
                }
            }
            wrapped.add(cells);
        }
        List<String> lines = new ArrayList<>();
        for (List<List<String>> cells : wrapped) {
            int height = cells.stream().mapToInt(List::size).max().orElse(1);
            for (int line = 0; line < height; line++) {
                StringBuilder text = new StringBuilder();
                for (int column = 0; column < columns; column++) {
                    List<String> parts = cells.get(column);
                    String part = line < parts.size() ? parts.get(line) : "";
                    text.append(part);
                    if (column + 1 < columns) {
                        text.repeat(' ', widths[column] - part.length() + 2);
                    }
                }
                lines.add(text.toString().stripTrailing());
            }
        }
        return lines;
    }
}
