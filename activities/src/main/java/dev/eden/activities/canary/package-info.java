/** The read share of the route, and the watch over its gates. */
@NullMarked
package dev.eden.activities.canary;

import org.jspecify.annotations.NullMarked;
