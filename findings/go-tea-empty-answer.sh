#!/usr/bin/env bash
# github.com/alibabacloud-go/darabonba-openapi/v2 2.1.13: an empty answer with status 200 is a success without a body.
#
# Guess:  a body that is announced as JSON and is empty is an error, as half an answer is, and as the packages of this generation
#         for Python, Node and Java have it for both.
# Does:   CallApi returns no error, and nil as "body". What reads a field of it gets nothing or panics: a start counts as done
#         whose answer was lost on the way.
# Seen:   empty: err nil, body nil
#         cut off after {: err *errors.errorString
#
# Exits with 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
go mod init finding.example/finding 2> /dev/null
cat > main.go <<'GO'
package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	"github.com/alibabacloud-go/tea/dara"
)

func main() {
	empty, cut := seen(""), seen("{")
	fmt.Println("empty:", empty)
	fmt.Println("cut off after {:", cut)
	if empty != "err nil, body nil" || !strings.HasPrefix(cut, "err *") {
		os.Exit(1)
	}
}

func seen(body string) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, body)
	}))
	defer server.Close()
	client, err := openapi.NewClient(&openapi.Config{
		AccessKeyId: dara.String("a"), AccessKeySecret: dara.String("b"), Protocol: dara.String("http"),
		Endpoint: dara.String(strings.TrimPrefix(server.URL, "http://")), ReadTimeout: dara.Int(5000),
	})
	if err != nil {
		panic(err)
	}
	params := &openapi.Params{
		Action: dara.String("StartExecution"), Version: dara.String("2019-03-15"), Protocol: dara.String("HTTP"),
		Pathname: dara.String("/"), Method: dara.String("POST"), AuthType: dara.String("AK"), Style: dara.String("RPC"),
		ReqBodyType: dara.String("formData"), BodyType: dara.String("json"),
	}
	answer, err := client.CallApi(params, &openapi.OpenApiRequest{}, &dara.RuntimeOptions{})
	if err != nil {
		return fmt.Sprintf("err %T", err)
	}
	if answer["body"] == nil {
		return "err nil, body nil"
	}
	return fmt.Sprintf("err nil, body %v", answer["body"])
}
GO
go get github.com/alibabacloud-go/darabonba-openapi/v2@v2.1.13 github.com/alibabacloud-go/tea@v1.3.13 2> /dev/null
go mod tidy 2> /dev/null
go run .
