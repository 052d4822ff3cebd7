/** The PostgreSQL engine of the data plane: protocol 3.0 and 3.2, pooling, and the barrier of the cutover. */
@NullMarked
package dev.eden.proxy.postgres;

import org.jspecify.annotations.NullMarked;
