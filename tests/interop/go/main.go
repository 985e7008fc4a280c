// SPDX-License-Identifier: Apache-2.0
package main

import _ "github.com/apache/rocketmq-client-go/v2"
import _ "github.com/apache/rocketmq-client-go/v2/admin"

func main() {}
