package main

import (
	"encoding/json"
	"net/http"
	"strings"
)

// Problem is an error as RFC 9457 has it.
type Problem struct {
	Code   string
	Detail string
	Errors []FieldError
	Allow  string
}

// FieldError says which member breaks which rule.
type FieldError struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

var titles = map[string]struct {
	status int
	title  string
}{
	"malformed_json":         {400, "The body is not a JSON object"},
	"invalid_query":          {400, "A query parameter is not allowed"},
	"not_found":              {404, "There is nothing here"},
	"method_not_allowed":     {405, "This resource does not have that method"},
	"sku_taken":              {409, "Another item has this SKU"},
	"out_of_stock":           {409, "Not enough is available"},
	"stock_below_reserved":   {409, "More is reserved than this stock"},
	"item_in_use":            {409, "The item has open reservations"},
	"reservation_closed":     {409, "The reservation is not held any more"},
	"precondition_failed":    {412, "The item has changed"},
	"unsupported_media_type": {415, "The body must be application/json"},
	"validation_failed":      {422, "Some members break their rules"},
	"idempotency_key_reused": {422, "This key came with another request"},
	"precondition_required":  {428, "If-Match is missing"},
}

func (p *Problem) Error() string { return p.Code }

func (p *Problem) write(w http.ResponseWriter) {
	known := titles[p.Code]
	body := map[string]any{
		"type":   "/problems/" + strings.ReplaceAll(p.Code, "_", "-"),
		"title":  known.title,
		"status": known.status,
		"code":   p.Code,
	}
	if p.Detail != "" {
		body["detail"] = p.Detail
	}
	if len(p.Errors) > 0 {
		body["errors"] = p.Errors
	}
	if p.Allow != "" {
		w.Header().Set("Allow", p.Allow)
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(known.status)
	json.NewEncoder(w).Encode(body)
}
