@NullMarked
package dev.eden.activities.redis.acl;

import org.jspecify.annotations.NullMarked;
