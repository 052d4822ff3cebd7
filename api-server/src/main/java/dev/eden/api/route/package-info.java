/** The route rows, the attempts and the replication directions in PostgreSQL: the store's side of the cutover protocol. */
@NullMarked
package dev.eden.api.route;

import org.jspecify.annotations.NullMarked;
