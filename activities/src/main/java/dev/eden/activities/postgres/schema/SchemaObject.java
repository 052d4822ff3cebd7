package dev.eden.activities.postgres.schema;

import java.util.List;

/**
 * Something a schema consists of, and the statements that make it.
 *
 * @param identity kind and qualified name: equal on both servers for the same thing
 * @param statements run in one transaction
 */
record SchemaObject(String identity, List<String> statements) {
    SchemaObject {
        identity = PlainText.names(identity);
        statements = List.copyOf(statements);
    }
}
