@NullMarked
package dev.eden.activities.cutover;

import org.jspecify.annotations.NullMarked;
