/** Tells people's own systems of migrations: what is worth telling, in which words, and that it arrives. */
@NullMarked
package dev.eden.api.notify;

import org.jspecify.annotations.NullMarked;
