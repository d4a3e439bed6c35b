"""The table of DOMAIN, "Roles and acts", and the area and right that each route of the console asks for."""

from __future__ import annotations

# support, lead, service_center, desk, admin, auditor; "own": only what one is asked, or did oneself.
TABLE = """
tickets    w    w  own  r    r  r
bulk       own  w  -    -    w  r
contracts  r    r  w    r    r  r
imports    -    -  w    -    r  r
exceptions r    r  r    w    r  r
accounts   r    r  r    w    w  r
delivery   r    w  r    r    w  r
masters    -    -  -    -    w  r
journal    own  r  own  own  r  r
"""
ROUTES = """
GET  /console                                                        everybody
GET  /console/sign-in                                                everybody
POST /console/sign-in                                                everybody
GET  /console/sign-in/code                                           everybody
POST /console/sign-in/code                                           everybody
GET  /console/sign-in/provider                                       everybody
GET  /console/sign-in/callback                                       everybody
GET  /console/sign-in/provider/sign-out                              everybody
POST /console/sign-out                                               members
GET  /console/profile                                                members
POST /console/profile/digest                                         members
POST /console/profile/password                                       members
GET  /console/tickets                                                tickets own
GET  /console/tickets/arrivals                                       tickets r
POST /console/tickets/export                                         tickets r
GET  /console/tickets/bulk                                           bulk own
POST /console/tickets/bulk                                           bulk own
GET  /console/tickets/bulk/{id:int}                                  bulk own
POST /console/tickets/bulk/{id:int}/undo                             bulk own
GET  /console/views                                                  tickets r
POST /console/views                                                  tickets r
GET  /console/views/new                                              tickets r
POST /console/views/{id:int}                                         tickets r
POST /console/views/{id:int}/position                                tickets r
POST /console/views/{id:int}/deletion                                tickets r
POST /console/views/{id:int}/start                                   tickets r
GET  /console/tickets/{number:int}                                   tickets own
GET  /console/tickets/new                                            tickets w
POST /console/tickets/new                                            tickets w
GET  /console/tickets/{number:int}/account                           tickets w
POST /console/tickets/{number:int}/account                           tickets w
POST /console/tickets/{number:int}/account/withdrawal                tickets w
POST /console/tickets/{number:int}/replies                           tickets w
POST /console/tickets/{number:int}/replies/{message:int}/withdrawal  tickets w
POST /console/tickets/{number:int}/notes                             tickets w
POST /console/tickets/{number:int}/assignee                          tickets w
POST /console/tickets/{number:int}/status                            tickets w
POST /console/tickets/{number:int}/priority                          tickets w
POST /console/tickets/{number:int}/undo                              tickets w
POST /console/tickets/{number:int}/drafts/answer                     tickets w
POST /console/tickets/{number:int}/drafts/note                       tickets w
POST /console/tickets/{number:int}/presence                          tickets w
GET  /console/tickets/{number:int}/renewals                          tickets own
POST /console/uploads                                                tickets w
POST /console/uploads/{token}/removal                                tickets w
GET  /console/tickets/{number:int}/deadline                          tickets r
GET  /console/tickets/{number:int}/edit                              tickets w
POST /console/tickets/{number:int}/edit                              tickets w
GET  /console/tickets/{number:int}/match                             tickets r
POST /console/tickets/{number:int}/match                             tickets w
POST /console/tickets/{number:int}/match/withdrawal                  tickets w
GET  /console/tickets/{number:int}/related                           tickets r
POST /console/tickets/{number:int}/links                             tickets w
POST /console/tickets/{number:int}/links/{other:int}/removal         tickets w
GET  /console/tickets/{number:int}/merge                             bulk own
POST /console/tickets/{number:int}/merge                             bulk own
POST /console/tickets/{number:int}/merge/withdrawal                  bulk own
GET  /console/tickets/{number:int}/messages/{message:int}/split      bulk own
POST /console/tickets/{number:int}/messages/{message:int}/split      bulk own
POST /console/tickets/{number:int}/split/withdrawal                  bulk own
POST /console/tickets/{number:int}/questions                         tickets w
POST /console/tickets/{number:int}/questions/answer                  contracts w
GET  /console/attachments/{token}                                    tickets r
GET  /console/imports                                                imports r
POST /console/imports                                                imports w
GET  /console/imports/{id:int}                                       imports r
GET  /console/imports/{id:int}/file                                  imports r
GET  /console/imports/{id:int}/mapping                               imports r
POST /console/imports/{id:int}/mapping                               imports w
GET  /console/imports/{id:int}/review                                imports r
GET  /console/imports/{id:int}/result                                imports r
GET  /console/imports/{id:int}/rows/{row:int}                        imports r
POST /console/imports/{id:int}/rows/{row:int}                        imports w
GET  /console/imports/{id:int}/corrections                           imports r
POST /console/imports/{id:int}/corrections                           imports w
POST /console/imports/{id:int}/corrections/withdrawal                imports w
POST /console/imports/{id:int}/corrections/{correction:int}/withdrawal  imports w
POST /console/imports/{id:int}/confirmations                         imports w
POST /console/imports/{id:int}/application                           imports w
POST /console/imports/{id:int}/approval-request                      imports w
POST /console/imports/{id:int}/approval                              imports w
POST /console/imports/{id:int}/approval-refusal                      imports w
POST /console/imports/{id:int}/discard                               imports w
GET  /console/imports/{id:int}/undo                                  imports r
POST /console/imports/{id:int}/undo                                  imports w
GET  /console/imports/{id:int}/workbook                              imports r
POST /console/imports/{id:int}/workbook                              imports r
POST /console/imports/{id:int}/workbook/cancellation                 imports r
GET  /console/imports/{id:int}/workbook/file                         imports r
GET  /console/contracts/{id:int}/correction                          contracts w
POST /console/contracts/{id:int}/correction                          contracts w
GET  /console/contracts/{id:int}/lines/{line:int}/correction         contracts w
POST /console/contracts/{id:int}/lines/{line:int}/correction         contracts w
POST /console/contracts/export                                       contracts r
GET  /console/contracts/template                                     contracts r
GET  /console/email-changes                                          imports r
POST /console/email-changes                                          imports w
GET  /console/email-changes/new                                      imports w
GET  /console/email-changes/{id:int}                                 imports r
POST /console/email-changes/{id:int}/decision                        imports w
POST /console/email-changes/{id:int}/evidence                        imports w
GET  /console/email-changes/{id:int}/reversal                        imports w
POST /console/email-changes/{id:int}/reversal                        imports w
GET  /console/email-changes/{id:int}/files/{token}                   imports r
GET  /console/contracts                                              contracts r
GET  /console/contracts/{id:int}                                     contracts r
GET  /console/exceptions                                             exceptions r
GET  /console/exceptions/{id:int}                                    exceptions r
POST /console/exceptions/{id:int}/decision                           exceptions w
GET  /console/grants                                                 exceptions r
GET  /console/grants/{id:int}                                        exceptions r
POST /console/grants/{id:int}/revocation                             exceptions w
GET  /console/refusals                                               exceptions r
GET  /console/refusals/{id:int}                                      exceptions r
GET  /console/rehearsal                                              exceptions r
POST /console/rehearsal                                              exceptions r
POST /console/rehearsal/letter                                       exceptions w
GET  /console/accounts                                               accounts r
GET  /console/accounts/{id:int}                                      accounts r
POST /console/accounts/{id:int}/suspension                           accounts w
POST /console/accounts/{id:int}/reopening                            accounts w
POST /console/accounts/{id:int}/totp-removal                         accounts w
GET  /console/accounts/{id:int}/disclosure                           accounts r
POST /console/accounts/{id:int}/export                               accounts w
GET  /console/accounts/{id:int}/erasure                              accounts w
POST /console/accounts/{id:int}/erasure                              accounts w
GET  /console/radar                                                  accounts r
POST /console/radar/{id:int}/mark                                    contracts w
GET  /console/tickets/{number:int}/canned                            tickets w
POST /console/tickets/{number:int}/canned                            tickets w
POST /console/tickets/{number:int}/canned/{canned:int}               tickets w
GET  /console/tickets/{number:int}/macros/{canned:int}               tickets w
POST /console/tickets/{number:int}/macros/{canned:int}               tickets w
GET  /console/canned                                                 bulk own
POST /console/canned                                                 bulk own
GET  /console/canned/{id:int}                                        bulk own
POST /console/canned/{id:int}                                        bulk own
POST /console/canned/{id:int}/removal                                bulk own
GET  /console/mails                                                  delivery r
GET  /console/mails/{id:int}                                         delivery r
POST /console/mails/{id:int}/resend                                  delivery w
POST /console/mails/{id:int}/copies                                  delivery w
POST /console/mails/{id:int}/suppression                             delivery w
POST /console/mails/{id:int}/address                                 delivery w
GET  /console/mails/returned                                         delivery r
GET  /console/mails/returned/{id:int}                                delivery r
POST /console/mails/returned/{id:int}/ticket                         delivery w
POST /console/mails/returned/{id:int}/settlement                     delivery w
GET  /console/jobs                                                   delivery r
POST /console/jobs/{name:str}/run                                    delivery w
GET  /console/reports                                                bulk own
POST /console/reports/export                                         bulk own
GET  /console/journal                                                journal own
GET  /console/masters                                                masters r
GET  /console/masters/logs                                           masters r
POST /console/masters/logs                                           masters w
POST /console/masters/logs/{id:int}/removal                          masters w
GET  /console/masters/services                                       masters r
POST /console/masters/services                                       masters w
POST /console/masters/services/{id:int}/removal                      masters w
GET  /console/masters/mails                                          masters r
GET  /console/masters/mails/{notice:str}                             masters r
POST /console/masters/mails/{notice:str}                             masters w
GET  /console/masters/products                                       masters r
POST /console/masters/products                                       masters w
GET  /console/masters/products/{id:int}                              masters r
POST /console/masters/products/{id:int}                              masters w
POST /console/masters/products/{id:int}/aliases                      masters w
POST /console/masters/products/{id:int}/aliases/{alias:int}/removal  masters w
GET  /console/masters/mailboxes                                      masters r
POST /console/masters/mailboxes                                      masters w
POST /console/masters/mailboxes/{id:int}/removal                     masters w
GET  /console/masters/categories                                     masters r
POST /console/masters/categories                                     masters w
POST /console/masters/categories/{id:int}                            masters w
GET  /console/masters/domains                                        masters r
POST /console/masters/domains                                        masters w
POST /console/masters/domains/{id:int}/removal                       masters w
GET  /console/masters/calendars                                      masters r
POST /console/masters/calendars                                      masters w
GET  /console/masters/calendars/{id:int}                             masters r
POST /console/masters/calendars/{id:int}                             masters w
GET  /console/masters/company-days                                   masters r
POST /console/masters/company-days                                   masters w
POST /console/masters/company-days/{id:int}/removal                  masters w
GET  /console/masters/reminders                                      masters r
POST /console/masters/reminders/{kind:str}                           masters w
GET  /console/masters/privacy-text                                   masters r
POST /console/masters/privacy-text                                   masters w
GET  /console/masters/privacy-text/{version:int}                     masters r
GET  /console/staff                                                  masters r
POST /console/staff                                                  masters w
GET  /console/staff/{id:int}                                         masters r
POST /console/staff/{id:int}                                         masters w
POST /console/staff/{id:int}/password                                masters w
POST /console/staff/{id:int}/totp-reset                              masters w
"""
