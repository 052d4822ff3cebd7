package dev.eden.api.problem;

/** What is wrong with one field: {@code pointer} is a JSON pointer (RFC 6901) or the name of a query parameter. Never holds the value. */
public record FieldError(String pointer, String detail) {}
