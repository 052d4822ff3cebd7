@NullMarked
package dev.eden.activities.postgres.schema;

import org.jspecify.annotations.NullMarked;
