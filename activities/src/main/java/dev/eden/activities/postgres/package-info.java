/** The data path between two PostgreSQL servers, 14 to 18; the packages below it are its steps. */
@NullMarked
package dev.eden.activities.postgres;

import org.jspecify.annotations.NullMarked;
