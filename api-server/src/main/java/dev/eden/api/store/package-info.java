/** Eden's own state in PostgreSQL, and the ports of the activities that it serves. */
@NullMarked
package dev.eden.api.store;

import org.jspecify.annotations.NullMarked;
