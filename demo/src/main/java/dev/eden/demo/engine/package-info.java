/** What the demo asks of a database engine. */
@NullMarked
package dev.eden.demo.engine;

import org.jspecify.annotations.NullMarked;
