/** PostgreSQL's part of the demo: its schema, its load, its two servers. */
@NullMarked
package dev.eden.demo.postgres;

import org.jspecify.annotations.NullMarked;
